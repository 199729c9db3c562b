"""What held-out cases of one training tell besides: its folds, and test sets drawn anew."""
