/**
 * The server's Markdown as HTML: the part of the language that its answers are written in.
 *
 * Elements are made here alone, and links by nobody: whatever else stands in the text, such as the
 * name of a session, is shown as it is. VS Code's own renderer also takes HTML, addresses,
 * formulas between dollars, and whatever other extensions add.
 */

const SPECIAL: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

/** Text of any origin as it stands in HTML. */
export function text(plain: string): string {
  return plain.replace(/[&<>"]/g, (character) => SPECIAL[character] ?? '');
}

const HEADING = /^(#{1,6}) +(.*)$/;
const ITEM = /^[-*] +(.*)$/;
const FENCE = /^```/;
const INLINE = /\\([!-/:-@[-`{-~])|`([^`\n]+)`|\*\*((?:\\.|[^\\\n])+?)\*\*|\*((?:\\.|[^\\*\n])+?)\*/g;

/** The first heading as plain text. */
export function heading(markdown: string): string | undefined {
  return /^#+ +(.*)$/m.exec(markdown)?.[1]?.replace(/\\(.)/g, '$1');
}

/** Without the first heading where `untitled` is set: the page has a title of its own. */
export function html(markdown: string, { untitled = false } = {}): string {
  const lines = markdown.split('\n');
  const made: string[] = [];
  let isTitled = untitled;
  const taken = (fits: (line: string) => boolean): string[] => {
    const end = lines.findIndex((line) => !fits(line));
    return lines.splice(0, end < 0 ? lines.length : end);
  };
  while (lines.length) {
    const line = lines[0] ?? '';
    const heading = HEADING.exec(line);
    if (!line.trim()) {
      lines.shift();
    } else if (heading) {
      lines.shift();
      const level = heading[1]?.length ?? 2;
      if (!isTitled) made.push(`<h${level}>${inline(heading[2] ?? '')}</h${level}>`);
      isTitled = false;
    } else if (line.startsWith('|')) {
      made.push(table(taken((next) => next.startsWith('|'))));
    } else if (ITEM.test(line)) {
      const items = taken((next) => ITEM.test(next)).map((item) => `<li>${inline(ITEM.exec(item)?.[1] ?? '')}</li>`);
      made.push(`<ul>${items.join('')}</ul>`);
    } else if (FENCE.test(line)) {
      lines.shift();
      made.push(`<pre>${text(taken((next) => !FENCE.test(next)).join('\n'))}</pre>`);
      lines.shift();
    } else {
      const paragraph = taken((next) => Boolean(next.trim()) && !/^[|#]|^```/.test(next) && !ITEM.test(next));
      // What looks like the beginning of something, and is none of it, is text.
      if (!paragraph.length) paragraph.push(lines.shift() ?? '');
      made.push(`<p>${paragraph.map(broken).join('\n')}</p>`);
    }
  }
  return made.join('\n');
}

/** Two spaces at the end of a line break it. */
function broken(line: string): string {
  return line.endsWith('  ') ? `${inline(line.trimEnd())}<br>` : inline(line);
}

function inline(markdown: string): string {
  let made = '';
  let end = 0;
  for (const found of markdown.matchAll(INLINE)) {
    const [all, escaped, code, strong, emphasis] = found;
    made += text(markdown.slice(end, found.index));
    if (escaped !== undefined) made += text(escaped);
    else if (code !== undefined) made += `<code>${text(code)}</code>`;
    else if (strong !== undefined) made += `<strong>${inline(strong)}</strong>`;
    else made += `<em>${inline(emphasis ?? '')}</em>`;
    end = found.index + all.length;
  }
  return made + text(markdown.slice(end));
}

/** A table: figures to the right, and each row under the name in its first cell. */
function table(lines: readonly string[]): string {
  const [head = [], rule = [], ...rows] = lines.map(cells);
  const isFigure = rule.map((cell) => cell.endsWith(':'));
  const kind = (index: number): string => (isFigure[index] ? ' class="figure"' : '');
  const titles = head.map((cell, index) => (cell ? `<th scope="col"${kind(index)}>${inline(cell)}</th>` : '<td></td>'));
  const body = rows.map((row) => {
    const [name = '', ...values] = row;
    const others = values.map((value, index) => `<td${kind(index + 1)}>${verdict(value)}</td>`);
    return `<tr><th scope="row">${inline(name)}</th>${others.join('')}</tr>`;
  });
  const thead = head.some(Boolean) ? `<thead><tr>${titles.join('')}</tr></thead>` : '';
  return `<div class="table"><table>${thead}<tbody>${body.join('')}</tbody></table></div>`;
}

/** A cell; what got better or worse is marked besides being said. */
function verdict(cell: string): string {
  const kind = cell.startsWith('✓ ') ? 'better' : cell.startsWith('✗ ') ? 'worse' : '';
  return kind ? `<span class="${kind}">${inline(cell)}</span>` : inline(cell);
}

/** The cells of a line, which a bar separates unless it is escaped. */
function cells(line: string): string[] {
  const parts = line.match(/(?:\\.|[^\\|])+|\|/g) ?? [];
  const found: string[] = [];
  let cell = '';
  for (const part of parts.slice(1)) {
    if (part !== '|') {
      cell = part.trim();
      continue;
    }
    found.push(cell);
    cell = '';
  }
  return found;
}
