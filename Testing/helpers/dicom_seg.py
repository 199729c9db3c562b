"""Writes small DICOM segmentations; tests that need one are skipped without highdicom."""

import warnings

import numpy as np
import pydicom
import pytest

highdicom = pytest.importorskip("highdicom")


def write_seg(path, ct, *masks, names=("Tumor", "Node"), kind="BINARY"):
    """Write masks (k, j, i), in the order of the slices' files `ct`, as one DICOM SEG; empty frames are left out."""
    fractions = {"fractional_type": "PROBABILITY", "max_fractional_value": 100} if kind == "FRACTIONAL" else {}
    code = highdicom.sr.CodedConcept
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        descriptions = [
            highdicom.seg.SegmentDescription(
                segment_number=n,
                segment_label=name,
                segmented_property_category=code("49755003", "SCT", "Morphologically abnormal structure"),
                segmented_property_type=code("108369006", "SCT", "Neoplasm"),
                algorithm_type=highdicom.seg.SegmentAlgorithmTypeValues.MANUAL,
            )
            for n, (name, _) in enumerate(zip(names, masks, strict=False), start=1)
        ]
        seg = highdicom.seg.Segmentation(
            source_images=[pydicom.dcmread(p) for p in ct],
            pixel_array=np.stack(masks, axis=-1) if kind == "BINARY" else masks[0],
            segmentation_type=highdicom.seg.SegmentationTypeValues(kind),
            segment_descriptions=descriptions,
            series_instance_uid=highdicom.UID(),
            series_number=5,
            sop_instance_uid=highdicom.UID(),
            instance_number=1,
            manufacturer="Maker",
            manufacturer_model_name="Model",
            software_versions="1",
            device_serial_number="1",
            **fractions,
        )
        seg.save_as(path)
    return path
