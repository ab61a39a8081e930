"""Long runs that show what vkanyio promises."""
