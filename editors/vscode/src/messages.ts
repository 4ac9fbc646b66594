import { window } from 'vscode';

/** What the buttons of a message do, by their titles. */
export type Buttons = Readonly<Record<string, () => unknown>>;

/** Something the user has to do first, or that is not there yet: said to them as it is, and no failure. */
export class Hint extends Error {
  readonly buttons: Buttons;

  constructor(message: string, buttons: Buttons = {}) {
    super(message);
    this.buttons = buttons;
  }
}

/** Shows a message without waiting for an answer; a button does what it says. */
export function say(kind: 'Information' | 'Warning' | 'Error', message: string, buttons: Buttons = {}): void {
  const show = {
    Information: window.showInformationMessage,
    Warning: window.showWarningMessage,
    Error: window.showErrorMessage,
  }[kind];
  void show(message, ...Object.keys(buttons)).then((answer) => answer !== undefined && buttons[answer]?.());
}

/** The kind of an error of the server. */
export function kindOf(error: unknown): string | undefined {
  return (error as { data?: { kind?: string } } | undefined)?.data?.kind;
}
