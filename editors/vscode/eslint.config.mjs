import js from '@eslint/js';
import { defineConfig, globalIgnores } from 'eslint/config';
import tseslint from 'typescript-eslint';

export default defineConfig(
  // Made by scripts: the bundles, the types of the server's answers, and agents' folders.
  globalIgnores(['dist', 'src/contract.ts', 'src/agents.ts']),
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  {
    files: ['**/*.mjs'],
    extends: [js.configs.recommended],
    languageOptions: { globals: { console: 'readonly', process: 'readonly', URL: 'readonly' } },
  },
  {
    files: ['**/*.ts'],
    extends: [js.configs.recommended, tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      // Functions without a wait meet types that ask for a promise.
      '@typescript-eslint/require-await': 'off',
      // VS Code declares Disposable as a class, and takes all that has its method for one.
      '@typescript-eslint/no-unsafe-class-instance-assignment': 'off',
      // Loaded late: see scripts/build.mjs.
      '@typescript-eslint/no-require-imports': ['error', { allow: ['^\\./client\\.js$'] }],
      // The runner waits for its tests.
      '@typescript-eslint/no-floating-promises': [
        'error',
        {
          allowForKnownSafeCalls: [
            { from: 'package', package: 'node:test', name: ['test', 'it', 'describe', 'suite'] },
          ],
        },
      ],
    },
  },
);
