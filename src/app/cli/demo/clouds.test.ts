import { describe, expect, it } from 'vitest';
import { cloudAudiences, cloudsOf, needsTls } from './clouds.ts';
import { fillAddresses } from './ports.ts';

describe('--cloud', () => {
  it.each([
    ['aws', ['aws']],
    ['gcp', ['gcp']],
    ['azure', ['azure']],
    ['all', ['aws', 'gcp', 'azure']],
    ['ibm', undefined],
    ['AWS', undefined],
    ['', undefined],
  ])('%s is %j', (word, clouds) => expect(cloudsOf(word)).toEqual(clouds));
});

it('Azure alone needs https', () => {
  expect([['aws'], ['gcp'], ['azure'], ['aws', 'gcp', 'azure']].map((clouds) => needsTls(clouds as []))).toEqual([
    false,
    false,
    true,
    true,
  ]);
});

it('the issuer tells of jobs under each cloud’s audience, Google’s in both forms', () => {
  const audiences = cloudAudiences('https://sts.example.com');
  expect(audiences).toContain('https://sts.example.com');
  expect(audiences).toContain('api://AzureADTokenExchange');
  const forms = audiences.filter((audience) => audience.endsWith('/providers/publish-web'));
  expect(forms).toEqual([expect.stringMatching(/^\/\/iam\./), expect.stringMatching(/^https:\/\/iam\./)]);
});

it('addresses of the example become the demo’s, whatever their scheme; others stay', () => {
  const urls = {
    issuer: 'http://i:1',
    sts: 'https://s:2',
    aws: 'https://a:3',
    gcp: 'https://g:4',
    azure: 'https://b:5',
  };
  const text =
    'http://127.0.0.1:8701 http://127.0.0.1:8702/v1 https://127.0.0.1:8702 http://127.0.0.1:8703 https://127.0.0.1:8705/acme http://127.0.0.1:87011 http://127.0.0.1:8080';
  expect(fillAddresses(text, urls)).toBe(
    'http://i:1 https://s:2/v1 https://s:2 https://a:3 https://b:5/acme http://127.0.0.1:87011 http://127.0.0.1:8080',
  );
});
