"""``turnspan anchor``: write the signed head of a store where nobody who can write to the store can write."""

from __future__ import annotations

from pathlib import Path

import click

from turnspan.cli import output
from turnspan.cli.documents import AnchorDocument
from turnspan.cli.options import reads_store
from turnspan.errors import TurnspanError
from turnspan.journal.seals import Key
from turnspan.model.display import counted
from turnspan.reading.reader import Reader
from turnspan.settings import without_password
from turnspan.stores.base import Audited
from turnspan.verification.anchors import commit, head_of_store


@click.command()
@click.option(
    "--to",
    "target",
    default="-",
    help="File, or folder in a git repository, to write to (default: -, standard output).",
)
@click.option("--name", default="anchor.txt", show_default=True, help="File name in that folder.")
@click.option("--origin", default="turnspan", show_default=True, help="Name of the store, as example.com/agents.")
@click.option("--key", help="Ed25519 private key in PEM (default: TURNSPAN_SIGNING_KEY).")
@reads_store
def command(reader: Reader, as_json: bool, target: str, name: str, origin: str, key: str | None) -> None:
    """Write the heads of all chains of a store as a signed checkpoint (https://c2sp.org/tlog-checkpoint).

    Keep it where whoever can write to the store cannot write: another machine, a repository that others pull, a
    timestamping service. `turnspan verify --anchor FILE` names everything older that was altered, cut or removed since.
    """
    store, url = reader.store, without_password(reader.settings.store_url)
    signing = Key.read(key or reader.settings.signing_key)
    if signing is None:
        raise TurnspanError(
            "An anchor must be signed: pass an Ed25519 private key with --key or TURNSPAN_SIGNING_KEY; "
            "`openssl genpkey -algorithm ed25519 -out key.pem` makes one"
        )
    if not isinstance(store, Audited):
        raise TurnspanError(f"{url} keeps no audit rows: there is nothing to anchor")
    anchor = head_of_store(store, origin)
    if not anchor.heads:
        raise TurnspanError(f"Nothing is recorded in {url}: there is nothing to anchor")
    text = anchor.signed(signing)
    where = "standard output"
    if target == "-":
        if not as_json:
            output.raw(text, as_json=False)
    elif Path(target).is_dir():
        where = commit(Path(target), name, text)
    else:
        where = target
        Path(target).write_text(text)
    if as_json:
        output.document(AnchorDocument(origin=origin, chains=len(anchor.heads), written=where, anchor=text))
    elif target != "-":
        output.line(f"wrote the heads of {counted(len(anchor.heads), 'chain')} to {where}")
