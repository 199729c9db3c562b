"""``slicer.parameterNodeWrapper``: own implementation of the part that modules use most."""

import sys
import types


def install() -> None:
    """Makes ``from slicer.parameterNodeWrapper import ...`` work; the application's modules must be there already."""
    import slicer

    from . import annotations, wrapper

    module = types.ModuleType("slicer.parameterNodeWrapper", "Typed parameters, made by the test host")
    names = ("Choice", "Decimals", "Default", "Exclude", "IsInstance", "Maximum", "Minimum", "NotNone")
    module.__dict__.update({name: getattr(annotations, name) for name in (*names, "SingleStep", "Validator")})
    module.__dict__.update(
        WithinRange=annotations.WithinRange,
        SlicerParameterNamePropertyName=wrapper.PROPERTY,
        findChildWidgetForParameter=wrapper.find_child_widget,
        findFirstAnnotation=annotations.first,
        isParameterNodeWrapper=wrapper.is_wrapper,
        parameterNodeWrapper=wrapper.wrap,
        splitAnnotations=annotations.split,
        unannotatedType=lambda annotated: annotations.split(annotated)[0],
    )
    sys.modules[module.__name__] = module
    slicer.parameterNodeWrapper = module
