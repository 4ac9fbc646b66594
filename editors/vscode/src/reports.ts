/** Which documents are session reports: files directly in the folder that agents keep them in. */

export const REPORTS = '**/.radium/_internals/sessions/*.json';

const REPORT = /[\\/]\.radium[\\/]_internals[\\/]sessions[\\/][^\\/]+\.json$/;

export function isReport(path: string): boolean {
  return REPORT.test(path);
}
