import { allMessages } from "@waybill/contracts";
import { describe, expect, test } from "vitest";
import { shopServices } from "@waybill/server";
import { filesEnding, textOf } from "./boundaries/files.ts";

/** What is drawn by hand; a measurement's plot has a test of its own. */
const pictures = filesEnding(".svg").filter((path) => path.startsWith("docs/pictures/"));

/** What a picture's classes are drawn in, in light or in dark mode. */
function coloursOf(svg: string, isDark: boolean): Map<string, string> {
  const [light, dark] = svg.split("@media (prefers-color-scheme: dark)");
  const found = new Map<string, string>();
  for (const part of isDark ? [light!, dark!] : [light!]) {
    for (const [, classes, fill] of part.matchAll(/^\s*((?:\.\w+(?:, )?)+) \{ fill: (#[0-9a-f]{6})/gm))
      for (const name of classes!.split(", ")) found.set(name.slice(1), fill!);
  }
  return found;
}

/** The contrast of two colours by WCAG 2.2, from 1 to 21. */
function contrast(a: string, b: string): number {
  const [light, dark] = [luminance(a), luminance(b)].toSorted((x, y) => y - x);
  return (light! + 0.05) / (dark! + 0.05);
}

function luminance(colour: string): number {
  const [r, g, b] = [1, 3, 5].map((at) => {
    const channel = Number.parseInt(colour.slice(at, at + 2), 16) / 255;
    return channel <= 0.04045 ? channel / 12.92 : ((channel + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r! + 0.7152 * g! + 0.0722 * b!;
}

test("there are pictures, and pages that show them", () => {
  const shown = filesEnding(".md").map(textOf).join("\n");
  expect(pictures.length).toBeGreaterThan(1);
  for (const path of pictures) expect(shown).toContain(path);
});

describe.each(pictures)("%s", (path) => {
  const svg = textOf(path);

  test("says in words what it shows", () => {
    expect(/<title id="title">(.{10,})<\/title>/.exec(svg)).not.toBeNull();
    expect(/<desc id="desc">(.{100,})<\/desc>/.exec(svg)).not.toBeNull();
  });

  test.each([
    ["light", false],
    ["dark", true],
  ])("can be read in %s mode", (_, isDark) => {
    const colours = coloursOf(svg, isDark);
    for (const text of ["name", "small"]) {
      for (const ground of ["card", "service", "core", "engine", "outside"])
        expect(contrast(colours.get(text)!, colours.get(ground)!), `${text} on ${ground}`).toBeGreaterThan(7);
    }
    expect(contrast(colours.get("message")!, colours.get("card")!)).toBeGreaterThan(7);
    expect(contrast(colours.get("head")!, colours.get("card")!)).toBeGreaterThan(4.5);
  });

  test("names messages and services that there are", () => {
    const named = [...svg.matchAll(/<text class="message[^>]*>([^<]+)</g)].flatMap(([, text]) => text!.split(", "));
    const types = named.filter((name) => name.includes("."));
    expect(allMessages.map(({ name }) => name)).toEqual(expect.arrayContaining(types));
    const drawn = [...svg.matchAll(/<rect class="service"[^>]*>\n\s*<text class="name"[^>]*>([a-z]+)</g)].map(
      ([, name]) => name!,
    );
    expect(shopServices().map(({ name }) => name)).toEqual(expect.arrayContaining(drawn));
    expect(drawn.length).toBeGreaterThan(5);
  });
});
