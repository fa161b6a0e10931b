"""``turnspan view``: sessions in the browser."""

from __future__ import annotations

import os

import click

from turnspan.cli.options import Id
from turnspan.cli.serving import serve_pages
from turnspan.settings import Settings


@click.command()
@click.argument("session", type=Id(), required=False)
@click.option("--port", type=click.IntRange(0, 65535), help="Port (default: 7370, or a free one; 0: a free one).")
@click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    help="Address to listen on; any other than loopback requires a token.",
)
@click.option("--token", help="Token that the pages require, as the password (default: TURNSPAN_VIEW_TOKEN).")
@click.option("--open", "open_", is_flag=True, help="Open the page in the browser.")
@click.option("--home", metavar="FOLDER", help="Home folder (default: TURNSPAN_HOME, or .turnspan).")
@click.option("--store", metavar="URL", help="Store URL (default: TURNSPAN_STORE, or SQLite in home).")
def command(
    session: str | None,
    port: int | None,
    host: str,
    token: str | None,
    open_: bool,
    home: str | None,
    store: str | None,
) -> None:
    """Show sessions in the browser, or SESSION: its id, any id in it, or "last". Nothing is changed."""
    settings = Settings.read(home=home, store=store)
    serve_pages(
        settings, session, port=port, host=host, token=token or os.environ.get("TURNSPAN_VIEW_TOKEN"), open_=open_
    )
