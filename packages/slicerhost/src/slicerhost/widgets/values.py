"""Stand-ins of the widgets that hold one number or a range: CTK's, and the qMRML ones that derive from them."""

import math
from typing import Any

from PySide6 import QtCore, QtWidgets

from ..pythonqt.stand_in import stands_for, stored

Property, Signal = QtCore.Property, QtCore.Signal
SLIDER_STEPS = 1000
SPIN_LIMIT = 1e12  # a Qt spin box cannot hold infinity


class _Number(QtWidgets.QWidget):
    """One value between two limits, rounded to `decimals`, shown in a spin box and, if asked, a slider."""

    WITH_SLIDER = False
    DEFAULT_LIMITS = (0.0, 99.99)

    def __init__(self, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self._lowest, self._highest = self.DEFAULT_LIMITS
        self._number = 0.0
        self._spin = QtWidgets.QDoubleSpinBox()
        self._slider = QtWidgets.QSlider(QtCore.Qt.Orientation.Horizontal) if self.WITH_SLIDER else None
        layout = QtWidgets.QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        if self._slider is not None:
            self._slider.setRange(0, SLIDER_STEPS)
            self._slider.valueChanged.connect(self._slid)
            layout.addWidget(self._slider)
        layout.addWidget(self._spin)
        self._spin.valueChanged.connect(self._put)
        self._show_limits()

    def _show_limits(self) -> None:
        blocked = self._spin.blockSignals(True)
        self._spin.setRange(max(self._lowest, -SPIN_LIMIT), min(self._highest, SPIN_LIMIT))
        self._spin.blockSignals(blocked)
        self._put(self._number)

    def _slid(self, step: int) -> None:
        if self._highest > self._lowest:
            self._put(self._lowest + (self._highest - self._lowest) * step / SLIDER_STEPS)

    def _put(self, value: float) -> None:
        value = min(max(float(value), self._lowest), self._highest)
        value = round(value, self._spin.decimals)
        self._show(value)
        if value != self._number:
            self._number = value
            self.valueChanged.emit(value)

    def _show(self, value: float) -> None:
        """Brings spin box and slider to a value without their signals, which would come back here."""
        for widget, shown in ((self._spin, value), (self._slider, self._slider_step(value))):
            if widget is not None:
                blocked = widget.blockSignals(True)
                widget.setValue(shown)
                widget.blockSignals(blocked)

    def _slider_step(self, value: float) -> int:
        width = self._highest - self._lowest
        return round(SLIDER_STEPS * (value - self._lowest) / width) if 0 < width < math.inf else 0

    def _set_lowest(self, value: float) -> None:
        self._lowest, self._highest = float(value), max(float(value), self._highest)
        self._show_limits()

    def _set_highest(self, value: float) -> None:
        self._lowest, self._highest = min(self._lowest, float(value)), float(value)
        self._show_limits()

    def _set_decimals(self, decimals: int) -> None:
        self._spin.setDecimals(decimals)
        self._put(self._number)

    valueChanged = Signal(float)
    value = Property(float, lambda self: self._number, _put)
    minimum = Property(float, lambda self: self._lowest, _set_lowest)
    maximum = Property(float, lambda self: self._highest, _set_highest)
    decimals = Property(int, lambda self: self._spin.decimals, _set_decimals)
    singleStep = Property(float, lambda self: self._spin.singleStep, lambda self, step: self._spin.setSingleStep(step))
    prefix = Property(str, lambda self: self._spin.prefix, lambda self, text: self._spin.setPrefix(text))
    suffix = Property(str, lambda self: self._spin.suffix, lambda self, text: self._spin.setSuffix(text))

    def setRange(self, minimum: float, maximum: float) -> None:
        """Both limits at once."""
        self._lowest, self._highest = float(minimum), max(float(minimum), float(maximum))
        self._show_limits()


@stands_for("ctk")
class ctkSliderWidget(_Number):
    """A slider with a spin box."""

    WITH_SLIDER = True
    valueIsChanging = Signal(float)
    CPP_SIGNALS = ("valueChanged(double)", "valueIsChanging(double)")
    pageStep = stored(float, "pageStep", 10.0)
    tracking = stored(bool, "tracking", True)
    tickInterval = stored(float, "tickInterval", 0.0)
    spinBoxVisible = stored(bool, "spinBoxVisible", True, lambda self: self._spin.setVisible(self.spinBoxVisible))
    popupSlider = stored(bool, "popupSlider", False)
    invertedAppearance = stored(bool, "invertedAppearance", False)


@stands_for("ctk")
class ctkDoubleSpinBox(_Number):
    """A spin box for numbers with a fraction."""

    editingFinished = Signal()
    CPP_SIGNALS = ("valueChanged(double)", "editingFinished()")
    readOnly = stored(bool, "readOnly", False, lambda self: self._spin.setReadOnly(self.readOnly))


@stands_for("ctk")
class ctkDoubleSlider(_Number):
    """A slider for numbers with a fraction; it has no decimals to set."""

    WITH_SLIDER = True
    CPP_SIGNALS = ("valueChanged(double)",)
    tracking = stored(bool, "tracking", True)


@stands_for("slicer")
class qMRMLSliderWidget(ctkSliderWidget):
    """A slider whose unit would follow the scene's unit nodes."""

    CPP_SIGNALS = ctkSliderWidget.CPP_SIGNALS
    quantity = stored(str, "quantity", "")
    unitAwareProperties = stored("QVariant", "unitAwareProperties", None)

    def setMRMLScene(self, _scene: Any) -> None:
        """The scene whose units would be followed."""


@stands_for("slicer")
class qMRMLSpinBox(ctkDoubleSpinBox):
    """A spin box whose unit would follow the scene's unit nodes."""

    CPP_SIGNALS = ctkDoubleSpinBox.CPP_SIGNALS
    quantity = stored(str, "quantity", "")

    def setMRMLScene(self, _scene: Any) -> None:
        """The scene whose units would be followed."""


class _Range(QtWidgets.QWidget):
    """Two values between two limits."""

    minimumValueChanged = Signal(float)
    maximumValueChanged = Signal(float)
    valuesChanged = Signal(float, float)

    def __init__(self, *arguments: Any) -> None:
        super().__init__(next((item for item in arguments if isinstance(item, QtWidgets.QWidget)), None))
        self._lowest, self._highest = 0.0, 99.0
        self._low, self._high = 0.0, 99.0
        self._label = QtWidgets.QLabel(self)
        self._put(0.0, 99.0)

    def _clip(self, value: float) -> float:
        return min(max(float(value), self._lowest), self._highest)

    def _put(self, low: float, high: float) -> None:
        low, high = sorted((self._clip(low), self._clip(high)))
        low_changed, high_changed = low != self._low, high != self._high
        self._low, self._high = low, high
        self._label.setText(f"{low:g} to {high:g}")
        if low_changed:
            self.minimumValueChanged.emit(low)
        if high_changed:
            self.maximumValueChanged.emit(high)
        if low_changed or high_changed:
            self.valuesChanged.emit(low, high)

    def setRange(self, minimum: float, maximum: float) -> None:
        """Both limits at once."""
        self._lowest, self._highest = float(minimum), max(float(minimum), float(maximum))
        self._put(self._low, self._high)

    def setValues(self, low: float, high: float) -> None:
        """Both values at once."""
        self._put(low, high)

    minimum = Property(float, lambda self: self._lowest, lambda self, v: self.setRange(v, max(v, self._highest)))
    maximum = Property(float, lambda self: self._highest, lambda self, v: self.setRange(min(v, self._lowest), v))
    minimumValue = Property(float, lambda self: self._low, lambda self, v: self._put(v, max(v, self._high)))
    maximumValue = Property(float, lambda self: self._high, lambda self, v: self._put(min(v, self._low), v))
    singleStep = stored(float, "singleStep", 1.0)
    tracking = stored(bool, "tracking", True)


RANGE_SIGNALS = ("valuesChanged(double,double)", "minimumValueChanged(double)", "maximumValueChanged(double)")


@stands_for("ctk")
class ctkRangeWidget(_Range):
    """Two spin boxes and a slider with two handles."""

    CPP_SIGNALS = RANGE_SIGNALS
    decimals = stored(int, "decimals", 2)
    prefix = stored(str, "prefix", "")
    suffix = stored(str, "suffix", "")


@stands_for("ctk")
class ctkDoubleRangeSlider(_Range):
    """A slider with two handles."""

    CPP_SIGNALS = RANGE_SIGNALS


@stands_for("slicer")
class qMRMLRangeWidget(ctkRangeWidget):
    """A range widget whose unit would follow the scene's unit nodes."""

    CPP_SIGNALS = RANGE_SIGNALS

    def setMRMLScene(self, _scene: Any) -> None:
        """The scene whose units would be followed."""
