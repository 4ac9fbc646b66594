/** Which documents are session reports: files directly in their folder; and which transcripts. */
import { PLACES, type Place } from './agents';

const { radium: [REPORT_PLACE] = [], ...TRANSCRIPTS } = PLACES;

/** Where other agents keep transcripts. */
const AGENTS = Object.values(TRANSCRIPTS).flat();

export const REPORTS = `**/${REPORT_PLACE?.folder}/${REPORT_PLACE?.files}`;

type Environment = Readonly<Record<string, string | undefined>>;

/** The transcripts of other agents, in the folders that the environment names as well. */
export function transcripts(environment: Environment, home: string): string[] {
  return [
    ...AGENTS.filter((place) => place.home !== undefined).map((place) => `**/${below(place.home, place)}/${place.files}`),
    ...AGENTS.flatMap((place) =>
      named(place, environment, home).map((root) => `${below(glob(root), place)}/${place.files}`),
    ),
  ];
}

/** Where agents keep transcripts on this machine; the folders need not exist. */
export function agentFolders(environment: Environment, home: string): string[] {
  return [
    ...AGENTS.filter((place) => place.home !== undefined).map((place) => `${home}/${below(place.home, place)}`),
    ...AGENTS.flatMap((place) => named(place, environment, home).map((root) => below(root, place))),
  ];
}

/** The folder of a place below a root, which may be empty. */
function below(root: string | undefined, { folder }: Place): string {
  return root ? `${root}/${folder}` : folder;
}

/** The folders that the variable of a place names. */
function named({ variable, several }: Place, environment: Environment, home: string): string[] {
  const value = (variable && environment[variable]) ?? '';
  return (several ? value.split(',') : [value])
    .map((folder) => folder.trim().replace(/^~(?=[\\/]|$)/, home))
    .filter(Boolean);
}

/** A pattern of one folder alone, written as VS Code writes paths. */
function glob(folder: string): string {
  const path = folder.replaceAll('\\', '/').replace(/\/+$/, '').replace(/^[A-Z]:/, (drive) => drive.toLowerCase());
  return path.replace(/[*?[\]{}]/g, '[$&]');
}

const REPORT = /[\\/]\.radium[\\/]_internals[\\/]sessions[\\/][^\\/]+\.json$/;

export function isReport(path: string): boolean {
  return REPORT.test(path);
}
