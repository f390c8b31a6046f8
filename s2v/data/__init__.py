"""From videos to WebDataset shards."""
