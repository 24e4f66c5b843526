"""Reading policies from files and folders: what they extend and include is found, and every mistake is told.

Whoever only looks for mistakes needs no more than this: no case can be moved with it, and nothing of the step is loaded.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from ..case import PolicyRef
from ..diagnostics import Diagnostic, Diagnostics, Place, did_you_mean
from ..document import Node, read_file
from ..policy import CompiledPolicy
from ..read.fragment import Fragment, Includer, check_fragment
from ..read.shape import at, word
from ..schema import check_document
from .bundle import Bundle, compile_node, expand, overlaid
from .lock import FILE, Identity, Published, check_gone, check_published, read_lock
from .serving import check_serving
from .versions import check_versions


@dataclass(frozen=True, slots=True, kw_only=True)
class _Source:
    """A policy as it was read from a file."""

    path: Path
    node: Node
    text: str
    #: Whether it was asked for, rather than found beside what was, to be extended.
    asked: bool
    #: What is wrong with its text, so that even what can be compiled of it is not what was meant.
    found: tuple[Diagnostic, ...]

    @property
    def identity(self) -> Identity:
        return (word(at(self.node, "policy")) or "", word(at(self.node, "version")) or "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolved:
    """A document with all that it extends under it."""

    path: Path
    node: Node
    #: The texts that it was made of, what is extended first.
    texts: tuple[str, ...]
    #: What it is laid over, the lowest first, each resolved.
    under: tuple[Node, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Read:
    """A fragment as it was read from a file."""

    path: Path
    fragment: Fragment
    found: tuple[Diagnostic, ...]


@dataclass(slots=True)
class Loaded:
    """The policies of some files and folders. Mistakes of authors are in `diagnostics`, never raised."""

    policies: tuple[CompiledPolicy, ...] = ()
    diagnostics: tuple[Diagnostic, ...] = ()
    #: The files that were asked for and hold policies or scenarios.
    files: tuple[Path, ...] = ()
    #: By the digest of each policy's bundle.
    bundles: Mapping[str, Bundle] = field(default_factory=dict)
    #: What each policy was read from; nothing of policies that came from bundles.
    documents: Mapping[PolicyRef, Resolved] = field(default_factory=dict)
    #: The published versions that the locks beside them hold, by name and version.
    published: Mapping[Identity, Published] = field(default_factory=dict)


Result = TypeVar("Result", bound=Loaded)


def load_policies(paths: Iterable[Path | str], into: type[Result], *, dates: bool = True) -> Result:
    """Read, check and compile every policy in some files and folders.

    Args:
        paths: in a folder every YAML file below it counts. Files that hold `cases` are scenarios, and are only checked.
        into: what becomes of them.
        dates: whether holidays of countries are made, which takes longer than everything else. Without them there are no
            bundles and no digests, and no case can be opened.
    """
    return _Loader(dates=dates).load([Path(path) for path in paths], into)


class _Loader:
    """Reads files once, resolves what they extend, and compiles what was asked for."""

    def __init__(self, *, dates: bool = True) -> None:
        self.dates = dates
        self.diagnostics = Diagnostics()
        self.sources: dict[Identity, _Source] = {}
        self.seen: set[Path] = set()
        self.files: list[Path] = []
        self.asked: list[_Source] = []
        self.locked: dict[Identity, Published] = {}
        self.fragments: list[_Read] = []
        #: Fragments that have been judged.
        self.judged: set[Path] = set()

    def load(self, paths: list[Path], into: type[Result]) -> Result:
        """Return what some files and folders hold."""
        for path in paths:
            for file in policy_files(path):
                self.read(file, asked=True)
        for source in list(self.asked):
            self.find_extended(source)
        self.read_locks(paths)
        policies: list[CompiledPolicy] = []
        bundles, documents = {}, {}
        for source in self.asked:
            before = len(self.diagnostics.found)
            resolved = self.resolve(source, ())
            if resolved is None:
                continue
            includer = Includer(self.find_fragment, self.diagnostics)
            node = includer.included(resolved.node)
            if node is None:
                self.diagnostics.found.extend(check_document(resolved.node, "policy"))
                continue
            check_published(node, source.identity, self.locked, self.diagnostics)
            holidays = expand(node, self.diagnostics, dates=self.dates)
            bundle = Bundle(texts=resolved.texts, holidays=holidays, fragments=includer.texts)
            policy, found = compile_node(node, bundle, pinned=self.dates, under=resolved.under)
            self.diagnostics.found.extend(found)
            sound = all(item.severity != "error" for item in self.diagnostics.found[before:])
            if policy is not None and sound:
                policies.append(policy)
                if self.dates:
                    bundles[policy.ref.bundle] = bundle
                documents[policy.ref] = resolved
        nodes = {ref: found.node for ref, found in documents.items()}
        check_versions(policies, nodes, self.diagnostics)
        check_serving(policies, nodes, self.diagnostics)
        return into(
            policies=tuple(policies),
            diagnostics=self.diagnostics.sorted(),
            files=tuple(self.files),
            bundles=bundles,
            documents=documents,
            published=self.locked,
        )

    def read_locks(self, paths: list[Path]) -> None:
        """Read the locks beside what was asked for; of a folder as a whole it can be said what is gone."""
        whole = {lock for path in paths if path.is_dir() for lock in path.rglob(FILE)}
        beside = {lock for source in self.asked if (lock := source.path.parent / FILE).exists()}
        for lock in sorted(whole | beside):
            held = read_lock(lock, self.diagnostics)
            if lock in whole:
                check_gone(held, self.sources, self.diagnostics)
            self.locked.update(held)

    def read(self, path: Path, *, asked: bool) -> None:
        """Read one file; a scenario file is checked, a policy is kept for compiling."""
        # One file may be asked for by several paths.
        if (real := path.resolve()) in self.seen:
            return
        self.seen.add(real)
        node, found = read_file(path)
        if asked:
            self.diagnostics.found.extend(found)
            self.files.append(path)
        if node is None:
            return
        if at(node, "cases") is not None and at(node, "amends") is None:
            if asked:
                self.diagnostics.found.extend(check_document(node, "scenario"))
            return
        if at(node, "fragment") is not None:
            read = _Read(path=real, fragment=Fragment(node, text_of(path)), found=found)
            self.fragments.append(read)
            if asked:
                self.judge(read)
            return
        source = _Source(path=path, node=node, text=text_of(path), asked=asked, found=found)
        first = self.sources.setdefault(source.identity, source)
        if first is not source and asked:
            name, version = source.identity
            message = f"version `{version}` of the policy `{name}` is declared twice"
            place = (at(node, "policy") or node).place
            related = [("the first one", (at(first.node, "policy") or first.node).place)]
            self.diagnostics.add("AM105", place, message, related=related)
            return
        if asked:
            self.asked.append(source)

    def find_extended(self, source: _Source) -> None:
        """Look beside a policy for the one that it extends."""
        extends = at(source.node, "extends")
        if extends is None or self.extended_identity(extends) in self.sources:
            return
        for beside in sorted(source.path.parent.glob("*.yaml")):
            self.read(beside, asked=False)
        if (base := self.sources.get(self.extended_identity(extends))) and not base.asked:
            self.find_extended(base)

    def judge(self, read: _Read) -> None:
        """Report once what is wrong with a fragment by itself; its file's own findings may be reported already."""
        if read.path not in self.judged:
            self.judged.add(read.path)
            self.diagnostics.found.extend((*read.found, *check_document(read.fragment.node, "fragment")))
            check_fragment(read.fragment.node, self.diagnostics)

    def find_fragment(self, reference: str, place: Place) -> Fragment | None:
        """Return the fragment that a file includes, by its name or its path from there; None with a finding."""
        folder = Path(place.file).parent
        by_path = reference.endswith((".yaml", ".yml"))
        wanted = (folder / reference).resolve()

        def known() -> list[_Read]:
            return [
                r for r in self.fragments if (r.path == wanted if by_path else r.fragment.name == reference)
            ]

        if not known():
            places = [wanted] if by_path else [*folder.glob("*.yaml"), *folder.glob("fragments/*.yaml")]
            for path in sorted(places):
                if path.is_file():
                    self.read(path, asked=False)
        found = known()
        if len(found) == 1:
            self.judge(found[0])
            return found[0].fragment
        message = f"there is no fragment `{reference[:60]}`, here, beside this file or in `fragments/` there"
        hint = did_you_mean(reference, sorted({r.fragment.name for r in self.fragments}))
        if found:
            message = f"{len(found)} files hold a fragment `{reference[:60]}`"
            hint = "include it by its path from this file, such as `fragments/NAME.yaml`"
        self.diagnostics.add("AM115", place, message, hint=hint)
        return None

    def extended_identity(self, node: Node) -> Identity:
        """Return what `extends` names."""
        return (word(at(node, "policy")) or "", word(at(node, "version")) or "")

    def resolve(self, source: _Source, chain: tuple[Identity, ...]) -> Resolved | None:
        """Return a document with all that it extends under it, or None with a finding."""
        self.diagnostics.found.extend(source.found)
        extends = at(source.node, "extends")
        if extends is None:
            return Resolved(path=source.path, node=source.node, texts=(source.text,))
        if not chain:
            # Laid over its base it no longer has the key that makes it an overlay, and admits what only overlays may hold.
            self.diagnostics.found.extend(check_document(source.node, "policy"))
        wanted = self.extended_identity(extends)
        if not all(wanted):
            return None
        if wanted in (*chain, source.identity):
            self.diagnostics.add("AM107", extends.place, f"`{wanted[0]}` extends itself")
            return None
        base = self.sources.get(wanted)
        if base is None:
            self.not_found(extends, *wanted)
            return None
        under = self.resolve(base, (*chain, source.identity))
        if under is None:
            return None
        return Resolved(
            path=source.path,
            node=overlaid(under.node, source.node, self.diagnostics),
            texts=(*under.texts, source.text),
            under=(*under.under, under.node),
        )

    def not_found(self, extends: Node, name: str, version: str) -> None:
        """Report that what a policy extends is not there: no such policy, or no such version of it."""
        others = [of for of, source in self.sources.items() if source.node.place.file != extends.place.file]
        versions = sorted(known for of, known in others if of == name)
        key, message = "policy", f"there is no policy `{name[:60]}` to extend, here or beside this file"
        near = did_you_mean(name, sorted({of for of, _ in others}))
        elsewhere = "where it lies elsewhere, name its folder too"
        hint: str | None = f"{near}; {elsewhere}" if near else elsewhere
        if versions:
            key, message = "version", f"the policy `{name}` has no version `{version[:60]}` to extend"
            hint = did_you_mean(version, versions)
        self.diagnostics.add("AM107", (at(extends, key) or extends).place, message, hint=hint)


def text_of(path: Path) -> str:
    """Return the text of a file that was read."""
    return path.read_text(encoding="utf-8-sig")


def policy_files(path: Path) -> Iterator[Path]:
    """Yield a file itself, or every YAML file below a folder, in order of their names."""
    if not path.is_dir():
        yield path
        return
    yield from sorted(
        file for pattern in ("*.yaml", "*.yml") for file in path.rglob(pattern) if file.is_file()
    )
