"""Features as the Image Biomarker Standardisation Initiative (IBSI) defines them, held against its reference values.

The engines of `radiomics` prepare a case once and bin as pyradiomics does. IBSI begins its bins elsewhere, leaves
intensities out of the region, and merges matrices; the matrices and formulas themselves are the same, and shared.
"""
