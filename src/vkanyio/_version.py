"""The version of vkanyio."""

__version__ = "0.2.0"
