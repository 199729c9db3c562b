"""The tumors of a case, and the studies of a patient, as the scene has them."""
