/**
 * Files and directories as a file system has them: what programs see, and what of it is on the disk.
 * A power cut leaves what was synced, and of all else what chance leaves, within what POSIX permits.
 */

import type { Random } from "../../support/random.ts";

/** A file: its content, and how much of it is on the disk for sure. */
export class TreeFile {
  content: Uint8Array = new Uint8Array(0);
  /** Octets. */
  synced = 0;
}

/** A name was made, moved to or removed (undefined), and that may not be on the disk yet. */
interface Change {
  /** Counts the changes of the whole tree. */
  readonly number: number;
  readonly node: TreeNode | undefined;
}

export class TreeDirectory {
  /** What programs see. */
  readonly names = new Map<string, TreeNode>();
  /** What is on the disk for sure, where `changes` have nothing of that name. */
  readonly durable = new Map<string, TreeNode>();
  /** What has happened to each name since it was durable last, the oldest first. */
  readonly changes = new Map<string, Change[]>();
}

export type TreeNode = TreeFile | TreeDirectory;

/** What a power cut leaves of names: each by itself, or what a journal had got to, or an extreme. */
export type NamesLeft = "each" | "journal" | "none" | "all";
/** What it leaves of contents: by chance, or an extreme of what is the same for all. */
export type ContentsLeft = "each" | "none" | "zeros" | "prefix" | "all";

export class Tree {
  root = new TreeDirectory();
  #changes = 0;

  /** Throws as Deno does. Directories are made and removed as names of the one above. */
  directory(path: string): TreeDirectory {
    const node = this.find(path);
    if (!node) throw new Deno.errors.NotFound(path);
    if (node instanceof TreeFile) throw new Deno.errors.NotADirectory(path);
    return node;
  }

  file(path: string): TreeFile {
    const node = this.find(path);
    if (!node) throw new Deno.errors.NotFound(path);
    if (node instanceof TreeDirectory) throw new Deno.errors.IsADirectory(path);
    return node;
  }

  /** Undefined where there is nothing of this name. */
  find(path: string): TreeNode | undefined {
    let node: TreeNode = this.root;
    for (const name of path.split("/").filter((part) => part !== "")) {
      if (node instanceof TreeFile) throw new Deno.errors.NotADirectory(path);
      const next = node.names.get(name);
      if (!next) return undefined;
      node = next;
    }
    return node;
  }

  /** Gives a name to something, or takes it away. What had it before has it no more. */
  change(path: string, node: TreeNode | undefined): void {
    const [above, name] = split(path);
    const { names, changes } = this.directory(above);
    if (node) names.set(name, node);
    else names.delete(name);
    const earlier = changes.get(name) ?? [];
    changes.set(name, [...earlier, { number: ++this.#changes, node }]);
  }

  /** Begins to sync a directory. What it returns ends that: what was changed before is durable then. */
  beginSync(path: string): () => void {
    const directory = this.directory(path);
    const until = this.#changes;
    return () => {
      for (const [name, changes] of directory.changes) {
        const synced = changes.filter(({ number }) => number <= until);
        const last = synced.at(-1);
        if (!last) continue;
        setOrDelete(directory.durable, name, last.node);
        const left = changes.slice(synced.length);
        if (left.length > 0) directory.changes.set(name, left);
        else directory.changes.delete(name);
      }
    };
  }

  /** Every file below, with its path. */
  *files(path = "/"): Generator<readonly [path: string, file: TreeFile]> {
    const prefix = path === "/" ? "" : path;
    const node = this.find(path);
    if (!(node instanceof TreeDirectory)) return;
    for (const [name, child] of node.names) {
      if (child instanceof TreeFile) yield [`${prefix}/${name}`, child];
      else yield* this.files(`${prefix}/${name}`);
    }
  }

  /** What is there when the power is back, all of it on the disk. */
  afterPowerCut(random: Random): Tree {
    const names = random.pick<NamesLeft>(["each", "each", "journal", "none", "all"]);
    const contents = random.pick<ContentsLeft>([
      "each",
      "each",
      "none",
      "zeros",
      "prefix",
      "all",
    ]);
    return new Remains(this, names, contents, random).tree();
  }
}

/** What is left of a tree. */
class Remains {
  readonly #tree: Tree;
  readonly #names: NamesLeft;
  readonly #contents: ContentsLeft;
  readonly #random: Random;
  /** The last change that the journal has. */
  readonly #journal: number;
  /** A file may have several names, and is one after the cut too. */
  readonly #files = new Map<TreeFile, TreeFile>();

  constructor(tree: Tree, names: NamesLeft, contents: ContentsLeft, random: Random) {
    this.#tree = tree;
    this.#names = names;
    this.#contents = contents;
    this.#random = random;
    const pending = numbers(tree.root);
    this.#journal = pending.length === 0 ? 0 : random.pick([pending[0]! - 1, ...pending]);
  }

  tree(): Tree {
    const tree = new Tree();
    tree.root = this.#directory(this.#tree.root);
    return tree;
  }

  #directory(before: TreeDirectory): TreeDirectory {
    const after = new TreeDirectory();
    for (const name of new Set([...before.durable.keys(), ...before.changes.keys()])) {
      const left = this.#left(before.durable.get(name), before.changes.get(name) ?? []);
      if (!left) continue;
      const node = left instanceof TreeFile ? this.#file(left) : this.#directory(left);
      after.names.set(name, node);
      after.durable.set(name, node);
    }
    return after;
  }

  /** What a name stands for: a state that it has had since it was synced, so a replaced one is never gone. */
  #left(durable: TreeNode | undefined, changes: readonly Change[]): TreeNode | undefined {
    switch (this.#names) {
      case "none":
        return durable;
      case "all":
        return changes.length > 0 ? changes.at(-1)!.node : durable;
      case "journal": {
        const kept = changes.filter(({ number }) => number <= this.#journal);
        return kept.length > 0 ? kept.at(-1)!.node : durable;
      }
      case "each": {
        const kept = this.#random.between(0, changes.length);
        return kept > 0 ? changes[kept - 1]!.node : durable;
      }
    }
  }

  #file(before: TreeFile): TreeFile {
    const known = this.#files.get(before);
    if (known) return known;
    const after = new TreeFile();
    after.content = this.#content(before);
    after.synced = after.content.length;
    this.#files.set(before, after);
    return after;
  }

  #content({ content, synced }: TreeFile): Uint8Array {
    if (synced === content.length) return content;
    const kind = this.#contents === "each"
      ? this.#random.pick<ContentsLeft>(["none", "zeros", "prefix", "all"])
      : this.#contents;
    const length = kind === "none"
      ? synced
      : kind === "prefix"
      ? this.#random.between(synced, content.length)
      : content.length;
    const left = content.slice(0, length);
    return kind === "zeros" ? left.fill(0, synced) : left;
  }
}

/** The numbers of all changes that may not be on the disk, in order. */
function numbers(directory: TreeDirectory): number[] {
  const below = (node: TreeNode | undefined) => {
    return node instanceof TreeDirectory ? numbers(node) : [];
  };
  const own = [...directory.changes.values()].flat().map(({ number }) => number);
  return [...own, ...[...directory.names.values()].flatMap(below)].sort((a, b) => a - b);
}

function setOrDelete<T>(map: Map<string, T>, key: string, value: T | undefined): void {
  if (value === undefined) map.delete(key);
  else map.set(key, value);
}

/** The directory above, and the name in it. */
export function split(path: string): readonly [above: string, name: string] {
  const at = path.lastIndexOf("/");
  return [path.slice(0, at) || "/", path.slice(at + 1)];
}
