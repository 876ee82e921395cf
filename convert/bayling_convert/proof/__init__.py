"""What a quantization costs: two files of one model run side by side."""
