"""The version of the package, read by the build and reported by ``backend:ping``."""

__version__ = "0.1.0"
