// Leaves out of the language client what this server does not have: a fifth of its code.
const FEATURES = [
  'callHierarchy',
  'colorProvider',
  'completion',
  'declaration',
  'definition',
  'documentHighlight',
  'documentLink',
  'fileOperations',
  'foldingRange',
  'formatting',
  'implementation',
  'inlineCompletion',
  'inlineValue',
  'linkedEditingRange',
  'reference',
  'rename',
  'selectionRange',
  'semanticTokens',
  'signatureHelp',
  'textDocumentContent',
  'typeDefinition',
  'typeHierarchy',
];

/** Registered as the feature, it tells the server nothing of it. */
const ABSENT = `
  class Absent {
    fillClientCapabilities() {}
    initialize() {}
    getState() { return { kind: 'static' }; }
    clear() {}
  }
  module.exports = new Proxy({}, { get: () => Absent });
`;

/** @type {import('esbuild').Plugin} */
export const trim = {
  name: 'trim',
  setup({ onLoad }) {
    const features = new RegExp(
      `[\\\\/]vscode-languageclient[\\\\/]lib[\\\\/]common[\\\\/](${FEATURES.join('|')})\\.js$`,
    );
    onLoad({ filter: features }, () => ({ contents: ABSENT }));
    // Whether VS Code is new enough, its installer has seen by the manifest.
    onLoad({ filter: /[\\/]semver[\\/]functions[\\/]\w+\.js$/ }, () => ({ contents: 'module.exports = () => ({});' }));
  },
};
