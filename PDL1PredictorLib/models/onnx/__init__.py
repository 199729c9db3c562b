"""ONNX files: read by readers of our own, run by onnxruntime."""
