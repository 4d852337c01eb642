import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isAddressAllowed } from './addresses.ts';

const SCOPES = ['public', 'private', 'loopback'] as const;
const scopesOf = (address: string) => SCOPES.filter((scope) => isAddressAllowed(address, scope));

describe('an address belongs to at most one scope', () => {
  test.each([
    ['8.8.8.8', 'public'],
    ['1.1.1.1', 'public'],
    ['172.15.255.255', 'public'],
    ['172.32.0.0', 'public'],
    ['100.63.255.255', 'public'],
    ['100.128.0.0', 'public'],
    ['223.255.255.255', 'public'],
    ['2606:4700:4700::1111', 'public'],
    ['2a00:1450:4001:81b::200e', 'public'],
    ['::ffff:8.8.8.8', 'public'],
    ['::ffff:808:808', 'public'],
    ['10.0.0.1', 'private'],
    ['172.16.0.1', 'private'],
    ['172.31.255.255', 'private'],
    ['192.168.1.1', 'private'],
    ['100.64.0.1', 'private'],
    ['100.100.100.199', 'private'],
    ['fc00::1', 'private'],
    ['fd12:3456:789a::1', 'private'],
    ['::ffff:10.0.0.1', 'private'],
    ['127.0.0.1', 'loopback'],
    ['127.255.255.254', 'loopback'],
    ['::1', 'loopback'],
    ['0:0:0:0:0:0:0:1', 'loopback'],
    ['::ffff:127.0.0.1', 'loopback'],
    ['::ffff:7f00:1', 'loopback'],
  ])('%s is %s and nothing else', (address, scope) => {
    expect(scopesOf(address)).toEqual([scope]);
  });

  test('whatever the address', () => {
    const anyAddress = fc.oneof(fc.ipV4(), fc.ipV6());
    fc.assert(fc.property(anyAddress, (address) => scopesOf(address).length <= 1));
  });

  test('and the mapped form of an IPv4 address to the same', () => {
    fc.assert(
      fc.property(fc.ipV4(), (address) => {
        expect(scopesOf(`::ffff:${address}`)).toEqual(scopesOf(address));
      }),
    );
  });
});

describe('never reached, whatever the scope', () => {
  test.each([
    '169.254.169.254',
    '169.254.170.2',
    '169.254.0.0',
    '::ffff:169.254.169.254',
    '::ffff:a9fe:a9fe',
    'fe80::1',
    'febf::1',
    'fd00:ec2::254',
    'fd00:ec2::23',
    'fd20:ce::254',
    '100.100.100.200',
    '::ffff:100.100.100.200',
    '168.63.129.16',
    '192.0.0.192',
    '0.0.0.0',
    '0.1.2.3',
    '::',
    '::7f00:1', // IPv4-compatible form of 127.0.0.1, retired
    '224.0.0.1',
    '239.255.255.255',
    '240.0.0.1',
    '255.255.255.255',
    '192.0.2.1',
    '198.18.0.1',
    '198.51.100.1',
    '203.0.113.1',
    '192.88.99.1',
    'ff02::1',
    'fec0::1',
    '2001:db8::1',
    '2001::7f00:1', // Teredo
    '2002:7f00:1::', // 6to4 of 127.0.0.1
    '3fff::1',
    '64:ff9b::7f00:1', // NAT64 of 127.0.0.1
    '64:ff9b:1::1',
    '100::1',
    '5f00::1',
    '4000::1',
  ])('%s', (address) => {
    expect(scopesOf(address)).toEqual([]);
  });

  test.each([
    '',
    'localhost',
    '127.1',
    '2130706433',
    '0x7f.0.0.1',
    '0177.0.0.1',
    '127.0.0.1 ',
    '[::1]',
    '::1%lo',
    'fe80::1%eth0',
    '1.2.3',
  ])('%j, which is no address in its one plain form', (text) => {
    expect(scopesOf(text)).toEqual([]);
  });
});
