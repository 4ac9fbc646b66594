import { Uri, window, workspace, type WorkspaceFolder } from 'vscode';

/** URIs are written in more than one way; this is one of them. */
export function normal(uri: string): string {
  return Uri.parse(uri).toString();
}

let last: string | undefined;

/** The folder whose figures count: the active editor's, else the last such one, else the first. */
export function currentFolder(): WorkspaceFolder | undefined {
  const active = window.activeTextEditor?.document.uri;
  const held = active && workspace.getWorkspaceFolder(active);
  if (held) last = held.uri.toString();
  const folders = workspace.workspaceFolders ?? [];
  return held ?? folders.find((folder) => folder.uri.toString() === last) ?? folders[0];
}
