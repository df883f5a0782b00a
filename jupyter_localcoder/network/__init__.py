"""How this machine reaches others: proxies, certificates, event streams."""
