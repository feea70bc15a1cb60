const twoDigits = `AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF
CHF CNY COP CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR
IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO
NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS
TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VED VES WST XCD YER ZAR ZMW ZWG`
const noDigits = 'BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF'
const threeDigits = 'BHD IQD JOD KWD LYD OMR TND'

/**
 * Digits of the minor unit of each currency in use (ISO 4217): 2 for EUR, 0 for JPY. A table of our own, because what
 * the runtime knows follows the habits of shops and not the standard (AFN has no minor unit there).
 */
export const minorDigits: ReadonlyMap<string, number> = new Map(
  [noDigits, '', twoDigits, threeDigits].flatMap((codes, digits) =>
    codes
      .split(/\s+/u)
      .filter((code) => code !== '')
      .map((code) => [code, digits] as const),
  ),
)
