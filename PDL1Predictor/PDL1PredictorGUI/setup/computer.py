"""What this computer is: which devices it can have, and what is not made for it."""

import platform
import sys

from slicer.i18n import tr as _

from PDL1PredictorGUI.setup import preferences


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
    if not is_mac():
        found.append(("cuda", _("NVIDIA graphics card (CUDA)")))
    elif not is_intel_mac():
        found.append(("mps", _("Apple graphics (MPS)")))
    return found


def chosen_device() -> str:
    """The device of the preferences; `auto` where settings came from a computer that had another one."""
    wanted = preferences.read(preferences.DEVICE, "auto")
    return wanted if wanted in dict(devices()) else "auto"
