// Builds the shop: one page from the products and a template, into dist/.
import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';

const ESCAPES = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
const escapeHtml = (text) => text.replace(/[&<>"]/g, (character) => ESCAPES[character]);

const item = ({ name, cents, stock }) => {
  const price = `€ ${(cents / 100).toFixed(2)}`;
  return stock > 0
    ? `  <li>${escapeHtml(name)} <b>${price}</b></li>`
    : `  <li class="sold-out">${escapeHtml(name)} <b>${price}</b> sold out</li>`;
};

const products = JSON.parse(await readFile('src/products.json', 'utf8'));
const page = await readFile('src/page.html', 'utf8');
await mkdir('dist', { recursive: true });
await writeFile(
  'dist/index.html',
  page.replace('<!-- products -->', () => products.map(item).join('\n')),
);
await copyFile('src/style.css', 'dist/style.css');
console.log(`built dist/index.html with ${products.length} products`);
