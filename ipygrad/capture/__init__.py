"""From the text of a cell, or from a result, to an immutable record of its backward pass."""
