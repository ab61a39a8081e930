"""vkanyio compared to other VK clients: the same work, server and run."""
