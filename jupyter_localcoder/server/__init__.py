"""The service over HTTP, inside a Jupyter server.

A handler decodes, asks the authorizer, calls one method of the service and encodes what comes back. Only
this package knows HTTP status codes.

::

    app        `LocalCoderApp`, the server extension: makes the service when it is first needed
    identity   who asks: a user of Jupyter, or a kernel with its own token
    rest       one handler class for all operations, JSON or server-sent events
    channel    the websocket: many operations and all events over one connection
    outbox     what waits to be sent to one websocket, bounded
    status     which status answers which error code
    openapi    the OpenAPI document, made from the contract
"""
