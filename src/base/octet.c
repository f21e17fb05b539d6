#include "config.h"

#include "base/octet.h"

#define ID OCTET_ID
#define METHOD OCTET_METHOD
#define NAME OCTET_NAME
#define TEXT OCTET_TEXT
#define TOKEN OCTET_TOKEN
#define UNRESERVED OCTET_UNRESERVED
#define VCHAR (OCTET_TEXT | OCTET_TARGET)

const unsigned char octet_class[256] = {
    ['\t'] = TEXT | OCTET_SPACE,
    [' '] = TEXT | OCTET_SPACE,
    ['!'] = VCHAR | TOKEN,
    ['"'] = VCHAR,
    ['#'] = TEXT | TOKEN,
    ['$'] = VCHAR | TOKEN,
    ['%'] = VCHAR | TOKEN,
    ['&'] = VCHAR | TOKEN,
    ['\''] = VCHAR | TOKEN,
    ['('] = VCHAR,
    [')'] = VCHAR,
    ['*'] = VCHAR | TOKEN,
    ['+'] = VCHAR | TOKEN | ID,
    [','] = VCHAR,
    ['-'] = VCHAR | TOKEN | ID | NAME | METHOD | UNRESERVED,
    ['.'] = VCHAR | TOKEN | ID | NAME | UNRESERVED,
    ['/'] = VCHAR | ID,
    ['0' ... '9'] = VCHAR | TOKEN | ID | NAME | UNRESERVED,
    [':'] = VCHAR | ID,
    [';'] = VCHAR,
    ['<'] = VCHAR,
    ['='] = VCHAR | ID,
    ['>'] = VCHAR,
    ['?'] = VCHAR,
    ['@'] = VCHAR,
    ['A' ... 'Z'] = VCHAR | TOKEN | ID | NAME | METHOD | UNRESERVED,
    ['['] = VCHAR,
    ['\\'] = VCHAR,
    [']'] = VCHAR,
    ['^'] = VCHAR | TOKEN,
    ['_'] = VCHAR | TOKEN | ID | NAME | UNRESERVED,
    ['`'] = VCHAR | TOKEN,
    ['a' ... 'z'] = VCHAR | TOKEN | ID | NAME | UNRESERVED,
    ['{'] = VCHAR,
    ['|'] = VCHAR | TOKEN,
    ['}'] = VCHAR,
    ['~'] = VCHAR | TOKEN | UNRESERVED,
    [0x80 ... 0xff] = TEXT,
};

const unsigned char octet_lower[256] = {
    ['!'] = '!', ['#'] = '#', ['$'] = '$', ['%'] = '%', ['&'] = '&', ['\''] = '\'',
    ['*'] = '*', ['+'] = '+', ['-'] = '-', ['.'] = '.', ['^'] = '^', ['_'] = '_',
    ['`'] = '`', ['|'] = '|', ['~'] = '~',
    ['0'] = '0', ['1'] = '1', ['2'] = '2', ['3'] = '3', ['4'] = '4', ['5'] = '5',
    ['6'] = '6', ['7'] = '7', ['8'] = '8', ['9'] = '9',
    ['A'] = 'a', ['B'] = 'b', ['C'] = 'c', ['D'] = 'd', ['E'] = 'e', ['F'] = 'f',
    ['G'] = 'g', ['H'] = 'h', ['I'] = 'i', ['J'] = 'j', ['K'] = 'k', ['L'] = 'l',
    ['M'] = 'm', ['N'] = 'n', ['O'] = 'o', ['P'] = 'p', ['Q'] = 'q', ['R'] = 'r',
    ['S'] = 's', ['T'] = 't', ['U'] = 'u', ['V'] = 'v', ['W'] = 'w', ['X'] = 'x',
    ['Y'] = 'y', ['Z'] = 'z',
    ['a'] = 'a', ['b'] = 'b', ['c'] = 'c', ['d'] = 'd', ['e'] = 'e', ['f'] = 'f',
    ['g'] = 'g', ['h'] = 'h', ['i'] = 'i', ['j'] = 'j', ['k'] = 'k', ['l'] = 'l',
    ['m'] = 'm', ['n'] = 'n', ['o'] = 'o', ['p'] = 'p', ['q'] = 'q', ['r'] = 'r',
    ['s'] = 's', ['t'] = 't', ['u'] = 'u', ['v'] = 'v', ['w'] = 'w', ['x'] = 'x',
    ['y'] = 'y', ['z'] = 'z',
};
