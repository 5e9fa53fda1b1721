// Writes the table of docs/configuration.md: `npm run docs`.
import { settings } from "../apps/server/src/config/settings.ts";

/** Every setting of the server, in a row each. */
export function settingsTable(): string {
  const rows = settings.map(({ path, env, fallback, text }) => {
    const variable = env === undefined ? "" : `\`${env}\``;
    return `| \`${path}\` | ${variable} | ${fallback} | ${text.replaceAll("|", "\\|")} |`;
  });
  return ["| setting | variable | unless it is said | |", "|---|---|---|---|", ...rows].join("\n");
}
