"""The version of vkanyio."""

__version__ = "0.1.0"
