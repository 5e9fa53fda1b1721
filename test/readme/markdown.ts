import { posix } from "node:path";

/** A link of a page that does not go to the web. */
export interface Link {
  /** The path from the repository's root; the page's own for a link within it. */
  readonly path: string;
  readonly anchor: string | undefined;
  readonly text: string;
}

const fence = /^(`{3,})(\w*)\n([\s\S]*?)^\1$/gm;

/** The code blocks of a page in one of these languages. */
export function blocksOf(page: string, ...languages: readonly string[]): string[] {
  return [...page.matchAll(fence)]
    .filter(([, , language]) => languages.includes(language!))
    .map(([, , , code]) => code!);
}

/** The links of a page, without those within code. */
export function linksOf(path: string, page: string): Link[] {
  const prose = page.replace(fence, "").replace(/`[^`\n]*`/g, "");
  return [...prose.matchAll(/\[[^\]]*\]\(([^)\s]+)\)/g)].flatMap(([, text]) => {
    if (/^[a-z]+:/.test(text!)) return [];
    const [file = "", anchor] = text!.split("#", 2);
    const target = file === "" ? path : posix.normalize(posix.join(posix.dirname(path), file));
    return [{ path: target.replace(/\/$/, ""), anchor, text: text! }];
  });
}

/** The anchors of a page's headings, as GitHub makes them. */
export function anchorsOf(page: string): Set<string> {
  const headings = [...page.replace(fence, "").matchAll(/^#{1,6} (.+)$/gm)].map(([, heading]) => heading!);
  return new Set(
    headings.map((heading) =>
      heading
        .toLowerCase()
        .replace(/[^\p{L}\p{N} _-]/gu, "")
        .replaceAll(" ", "-"),
    ),
  );
}

/** What a page tells its reader to run: each command of its shell blocks and of its inline code that begins like one. */
export function commandsOf(page: string): string[] {
  const lines = blocksOf(page, "sh", "bash", "shell").flatMap((block) => block.split("\n"));
  const inline = [...page.replace(fence, "").matchAll(/`((?:npm|npx|waybill) [^`\n]+)`/g)].map(([, code]) => code!);
  return [...lines, ...inline]
    .map((line) => line.replace(/(?:^|\s)#.*$/, "").trim())
    .flatMap((line) => line.split(/\s*&&\s*/))
    .filter((line) => line !== "");
}
