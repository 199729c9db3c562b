"""The error family: every message says what was expected, what came and what to do."""


class PDL1Error(Exception):
    """What the user can act on: shown to the user as it is. Anything else is our bug."""


class InputError(PDL1Error, ValueError):
    """A file, volume or value from outside cannot be used."""


class GridMismatchError(InputError):
    """Two volumes that must share one grid do not."""


class EmptyRegionError(InputError):
    """A region has no voxel, or too few to measure."""


class BundleError(PDL1Error, ValueError):
    """A model bundle is damaged, incomplete, unsafe or from another version."""


class OutputError(PDL1Error, OSError):
    """A result cannot be written where it was asked for."""


class DeviceError(PDL1Error, RuntimeError):
    """The compute device that was asked for is not there."""


class MissingPackageError(PDL1Error, ImportError):
    """A package that this step needs is not installed."""


class CancelledError(PDL1Error):
    """The user cancelled; nothing was written."""
