import js from '@eslint/js';
import prettier from 'eslint-config-prettier';
import tseslint from 'typescript-eslint';

export default tseslint.config(
  { ignores: ['node_modules', 'dist', 'build', 'charts', 'kits', 'examples'] },
  js.configs.recommended,
  tseslint.configs.strictTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      // Ten, not eight: this ESLint also counts every `?.` and `??`.
      complexity: ['error', 10],
      'max-depth': ['error', 2],
      'max-params': ['error', 4],
      'max-lines-per-function': ['error', { max: 40, skipBlankLines: true, skipComments: true }],
      'max-lines': ['error', { max: 300, skipBlankLines: true, skipComments: true }],
      'no-console': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      '@typescript-eslint/no-confusing-void-expression': [
        'error',
        { ignoreArrowShorthand: true, ignoreVoidOperator: true },
      ],
      // `void promise` and `(x) => void set.add(x)` are how a deliberate discard is written.
      '@typescript-eslint/no-meaningless-void-operator': 'off',
      // The opposite rule hides that a Map lookup or an index may miss; noUncheckedIndexedAccess is the guard.
      '@typescript-eslint/no-unnecessary-condition': ['error', { allowConstantLoopConditions: true }],
    },
  },
  {
    // A test is a story told once: its length is its rows, and it may assert what the types already promise.
    files: ['test/**/*.ts'],
    rules: {
      'max-lines-per-function': 'off',
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/no-unnecessary-condition': 'off',
    },
  },
  {
    // Programs that a person watches: they print.
    files: [
      'test/cluster/**/*.ts',
      'test/demo/**/*.ts',
      'test/*.ts',
      'test/bench/**/*.ts',
      'tools/**/*.ts',
      'src/api/generate.ts',
    ],
    rules: { 'no-console': 'off' },
  },
  { files: ['*.js', '*.config.js'], extends: [tseslint.configs.disableTypeChecked] },
  prettier,
);
