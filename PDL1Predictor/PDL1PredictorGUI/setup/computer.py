"""What this computer is: which devices it can have, and what is not made for it."""

import platform
import sys

from slicer.i18n import tr as _

from PDL1PredictorGUI.setup import preferences
from PDL1PredictorGUI.setup.library import make_importable

GRAPHICS = ("cuda", "mps")  # devices on which torch runs the network


def is_windows() -> bool:
    """Whether this is Windows."""
    return sys.platform == "win32"


def is_mac() -> bool:
    """Whether this is macOS."""
    return sys.platform == "darwin"


def is_intel_mac() -> bool:
    """Whether this Slicer runs as a program for Macs with an Intel processor, also where macOS translates it."""
    return is_mac() and platform.machine() == "x86_64"


def devices() -> list[tuple[str, str]]:
    """What the network can be asked to run on here: the command line's word, and that for people."""
    found = [("auto", _("Automatic")), ("cpu", _("Processor (CPU)"))]
    words = {"cuda": _("NVIDIA graphics card (CUDA, by PyTorch)"), "mps": _("Apple graphics (MPS, by PyTorch)")}
    return found + [(device, text) for device, text in words.items() if has_graphics(device)]


def has_graphics(device: str) -> bool:
    """Whether this computer can have such a graphics card: `cuda` or `mps`; torch is not asked."""
    make_importable()
    from PDL1PredictorLib.models.device import gpu_can_be_here

    return gpu_can_be_here(device)


def chosen_device() -> str:
    """The device of the preferences; `auto` where settings came from a computer that had another one."""
    wanted = preferences.read(preferences.DEVICE, "auto")
    return wanted if wanted in dict(devices()) else "auto"
