/** Text that is not the server's, as it fits into titles and pages. What it sends is shown as it is. */

/** An id in a title: the beginning of a long one. */
export function shortId(id: string): string {
  return id.length > 12 ? id.slice(0, 8) : id;
}

/** Text of any origin, as Markdown shows it literally. */
export function escape(text: string): string {
  return text.replace(/[\r\n]+/g, ' ').replace(/[\\`*_{}[\]<>#|~&]/g, '\\$&');
}
