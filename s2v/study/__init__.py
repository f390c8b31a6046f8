"""The human study (paper 4.3, Table 1 b): pictures and sounds laid out for people, their answers kept, and scored."""
