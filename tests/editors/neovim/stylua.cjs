// `node stylua.cjs [--check] FOLDER`: formats the Lua files below a folder by its .stylua.toml.
// npm has stylua as a library; its program is fetched from elsewhere, which not every machine may.
const fs = require('fs');
const path = require('path');

const installed = path.join(__dirname, '../../../build/editors/neovim/node_modules');
const stylua = require(path.join(installed, '@johnnymorganz/stylua'));

const check = process.argv[2] === '--check';
const folder = process.argv[check ? 3 : 2];

const ENUMS = {
  indent_type: stylua.IndentType,
  quote_style: stylua.QuoteStyle,
  call_parentheses: stylua.CallParenType,
};

const lines = fs.readFileSync(path.join(folder, '.stylua.toml'), 'utf8').split('\n');

// Formatting uses a config up.
function config() {
  const made = stylua.Config.new();
  for (const line of lines) {
    const [, key, value] = line.match(/^(\w+) = (.*)$/) ?? [];
    if (key) made[key] = ENUMS[key] ? ENUMS[key][JSON.parse(value)] : JSON.parse(value);
  }
  return made;
}

let wrong = 0;
for (const name of fs.readdirSync(folder, { recursive: true })) {
  if (!name.endsWith('.lua')) continue;
  const file = path.join(folder, name);
  const code = fs.readFileSync(file, 'utf8');
  const formatted = stylua.formatCode(code, config(), undefined, stylua.OutputVerification.Full);
  if (formatted === code) continue;
  wrong += 1;
  console.log(check ? `${file} is not formatted` : `${file} formatted`);
  if (!check) fs.writeFileSync(file, formatted);
}
process.exitCode = check && wrong ? 1 : 0;
