"""The models of this repository: their weights, one folder each, and the program that made them."""
