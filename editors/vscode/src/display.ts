/** Text that is not the server's, as it fits into titles and pages. What it sends is shown as it is. */

/** An id in a title: the beginning of a long one. */
export function shortId(id: string): string {
  return id.length > 12 ? id.slice(0, 8) : id;
}
