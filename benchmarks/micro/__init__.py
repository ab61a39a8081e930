"""The cost of the parts of vkanyio."""
