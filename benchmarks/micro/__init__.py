"""What the parts of vkanyio cost by themselves."""
