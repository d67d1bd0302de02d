"""The census: words planted through the running application, and looked for in everything that it left behind."""
