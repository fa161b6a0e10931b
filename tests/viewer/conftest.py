from support.pages import chromium  # noqa: F401  a fixture
