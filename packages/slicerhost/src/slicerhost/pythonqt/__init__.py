"""Qt under PythonQt's rules: attributes, signals, who owns what, .ui files, dialogs that a script answers."""
