import pytest

from support.pages import chromium  # noqa: F401  a fixture


@pytest.fixture
def page(chromium, request):  # noqa: F811  a fixture
    """A page that may not complain: neither an error nor a refused script or style."""
    options = getattr(request, "param", {})
    context = chromium.new_context(
        **{"viewport": {"width": 1360, "height": 900}, "timezone_id": "UTC", "locale": "en-GB", **options}
    )
    found, complaints = context.new_page(), []
    found.on(
        "console",
        lambda line: (
            complaints.append(line.text)
            if line.type in ("error", "warning") and "status of 404" not in line.text
            else None
        ),
    )
    found.on("pageerror", lambda error: complaints.append(str(error)))
    found.on("dialog", lambda dialog: (complaints.append("a dialog"), dialog.dismiss()))
    yield found
    context.close()
    assert complaints == []
