import { extensions, l10n, type Disposable, type Event, type Uri } from 'vscode';

/** The part of the Python extension's API that is used here. */
interface PythonApi {
  readonly environments: {
    getActiveEnvironmentPath(resource?: Uri): { readonly path: string };
    resolveEnvironment(path: {
      readonly path: string;
    }): Promise<{ readonly executable: { readonly uri?: Uri } } | undefined>;
    readonly onDidChangeActiveEnvironmentPath: Event<unknown>;
  };
}

const ID = 'ms-python.python';
const PATIENCE = 10_000;

/** The Python extension's interpreter for a resource, or why there is none. */
export async function activeInterpreter(resource: Uri | undefined): Promise<{ path: string } | { refusal: string }> {
  const late = new Promise<{ refusal: string }>((resolve) => {
    setTimeout(resolve, PATIENCE, { refusal: l10n.t('the Python extension did not answer') }).unref();
  });
  return Promise.race([ask(resource), late]);
}

async function ask(resource: Uri | undefined): Promise<{ path: string } | { refusal: string }> {
  const extension = extensions.getExtension<Partial<PythonApi>>(ID);
  if (!extension) return { refusal: l10n.t('the Python extension is not installed') };
  try {
    const { environments } = await extension.activate();
    if (!environments) return { refusal: l10n.t('the Python extension is too old to be asked') };
    const found = await environments.resolveEnvironment(environments.getActiveEnvironmentPath(resource));
    const path = found?.executable.uri?.fsPath;
    return path ? { path } : { refusal: l10n.t('no interpreter is chosen') };
  } catch (error) {
    return { refusal: l10n.t('the Python extension failed: {0}', String(error)) };
  }
}

/** Calls back when another interpreter is chosen; the Python extension is not started for it. */
export function onInterpreterChange(callback: () => void): Disposable | undefined {
  const extension = extensions.getExtension<Partial<PythonApi>>(ID);
  return extension?.isActive ? extension.exports.environments?.onDidChangeActiveEnvironmentPath(callback) : undefined;
}

export function hasPythonExtension(): boolean {
  return extensions.getExtension(ID) !== undefined;
}
