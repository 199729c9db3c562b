"""Judges a .ui file: all that it sets must exist in Qt 5.15, with that type; Qt itself drops the rest in silence.

Each fault is a sentence.
"""

import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping

from . import Facts

#: Spellings of Designer that are no properties of the widget or layout itself
DESIGNER_ONLY = {
    "QTableWidget": ("rowCount", "columnCount"),
    "QLayout": ("leftMargin", "topMargin", "rightMargin", "bottomMargin", "margin"),
    "QGridLayout": ("horizontalSpacing", "verticalSpacing"),
    "QFormLayout": ("horizontalSpacing", "verticalSpacing"),
}
#: Element of the file to the types of properties that it can set
TYPES = {
    "bool": ("bool",),
    "string": ("QString", "QKeySequence", "QUrl"),
    "cstring": ("QByteArray",),
    "number": ("int", "uint", "double", "qlonglong"),
    "double": ("double", "float"),
    "stringlist": ("QStringList",),
    "size": ("QSize",),
    "rect": ("QRect",),
    "font": ("QFont",),
    "sizepolicy": ("QSizePolicy",),
    "iconset": ("QIcon",),
    "pixmap": ("QPixmap",),
    "color": ("QColor",),
    "cursorShape": ("QCursor",),
    "palette": ("QPalette",),
}
SPACER_PROPERTIES = ("orientation", "sizeHint", "sizeType")


def ui_faults(text: str, facts: Facts) -> list[str]:
    """What Qt 5.15 would not take of a Designer file.

    Args:
        text: The file's content.
        facts: What Qt says of itself.
    """
    root = ET.fromstring(text)  # noqa: S314 - a file of the module itself
    faults: list[str] = []
    for element in [*root.iter("widget"), *root.iter("layout"), *root.iter("action")]:
        faults += _element_faults(element, facts)
    for spacer in root.iter("spacer"):
        names = [item.get("name", "") for item in spacer.findall("property")]
        faults += [f"spacer: no property '{name}'" for name in names if name not in SPACER_PROPERTIES]
    return [*faults, *_connection_faults(root, facts)]


def _element_faults(element: ET.Element, facts: Facts) -> Iterator[str]:
    class_name = element.get("class", "QAction")
    where = f"{class_name} '{element.get('name', '')}'"
    if class_name == "Line":
        class_name = "QFrame"
    if class_name not in facts.classes:
        yield f"{where}: {_unknown(class_name, facts)}"
        return
    for item in element.findall("property"):
        name = item.get("name", "")
        if item.get("stdset") == "0" or name in _designer_only(class_name, facts):
            continue
        fault = _property_fault(class_name, name, item[0], facts)
        if fault:
            yield f"{where}: {fault}"


def _unknown(class_name: str, facts: Facts) -> str:
    fault = f"Qt {facts.version} and the known widgets of Slicer have no such class"
    of_slicer = class_name.startswith(("ctk", "qMRML", "qSlicer"))
    return f"{fault}; if Slicer has it, give its facts to read_facts(more=...)" if of_slicer else fault


def _designer_only(class_name: str, facts: Facts) -> list[str]:
    extra = ("orientation",) if class_name == "QFrame" else ()  # of a Line
    return [*extra, *(name for base in facts.chain(class_name) for name in DESIGNER_ONLY.get(base.name, ()))]


def _property_fault(class_name: str, name: str, value: ET.Element, facts: Facts) -> str:
    known = facts.property(class_name, name)
    if known is None:
        return f"no property '{name}'"
    if not known["writable"]:
        return f"property '{name}' is read only"
    if value.tag in ("enum", "set"):
        return _enum_fault(name, known, value)
    if value.tag not in TYPES:
        return f"property '{name}': <{value.tag}> is not known to this judge"
    if known["type"] not in TYPES[value.tag]:
        return f"property '{name}' of type {known['type']} is set by <{value.tag}>"
    if value.tag == "bool" and value.text not in ("true", "false"):
        return f"property '{name}': '{value.text}' is no bool"
    return ""


def _enum_fault(name: str, known: Mapping[str, object], value: ET.Element) -> str:
    keys, scope = known.get("keys"), known.get("scope")
    if not isinstance(keys, list):
        return f"property '{name}' of type {known['type']} is set by <{value.tag}>"
    if value.tag == "set" and not known["flag"]:
        return f"property '{name}' takes one value, not a set"
    for part in (value.text or "").split("|"):
        found_scope, _, key = part.rpartition("::")
        if key not in keys or found_scope != scope:
            return f"property '{name}': '{part}' is no value of {scope}::{str(known['type']).rpartition('::')[2]}"
    return ""


def _connection_faults(root: ET.Element, facts: Facts) -> Iterator[str]:
    classes = {item.get("name", ""): item.get("class", "") for item in root.iter("widget")}
    for item in root.iter("connection"):
        sender, receiver = item.findtext("sender", ""), item.findtext("receiver", "")
        signal, slot = item.findtext("signal", ""), item.findtext("slot", "")
        if signal not in facts.signals(classes.get(sender, "")):
            yield f"connection: '{sender}' has no signal '{signal}'"
        if slot not in facts.slots(classes.get(receiver, "")):
            yield f"connection: '{receiver}' has no slot '{slot}'"


def widget_classes(text: str) -> dict[str, str]:
    """The class of every widget of a file, by its name."""
    root = ET.fromstring(text)  # noqa: S314 - a file of the module itself
    return {item.get("name", ""): item.get("class", "") for item in root.iter("widget")}
