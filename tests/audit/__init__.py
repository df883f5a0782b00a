"""Known weaknesses of what the product stands on, as the services know them: ``python -m tests.audit``.

Asked about is what runs at a user's: the Python packages that an installation with all extras for users
brings, in the versions that are installed here, and the JavaScript packages that the extension is built of.

::

    __main__      the command line
    installed     the packages of an installation, with their versions
    report        what pip-audit and npm audit say, as findings; pure
    accepted      advisories that are lived with, each with the reason
"""
