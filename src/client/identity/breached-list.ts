/*
 * Passwords that head the published lists of leaked ones, in small letters. Provenance: written down for this program
 * from what is generally known of such lists; no list was copied, and none is complete. Guessing programs try millions
 * more, so the length rule matters most; this list is there for what people choose to satisfy a length rule.
 */
const WORDS = `
123456 1234567 12345678 123456789 1234567890 12345678910 123123 123321 123123123 112233 121212 111111 1111111 11111111
000000 00000000 222222 333333 444444 555555 666666 777777 7777777 888888 88888888 999999 654321 987654321 0987654321
147258369 123654789 159753 147852369 789456123 456789 1q2w3e 1q2w3e4r 1q2w3e4r5t 1qaz2wsx 1qaz2wsx3edc zaq12wsx zaq1zaq1
qwe123 qwer1234 qwert qwerty qwerty1 qwerty123 qwertyuiop qwertyui qwertz qwertzuiop azerty azertyuiop asdf asdfg asdfgh
asdfghjkl asdfasdf asd123 zxcvbn zxcvbnm zxcvb poiuytrewq lkjhgfdsa mnbvcxz qazwsx qazwsxedc wasd qweasd qweasdzxc
abc abc123 abcd abcd1234 abcde abcdef abcdefg abcdefgh a1b2c3 a1b2c3d4 aa123456 a123456 a12345678 aaaaaa
password passwort passwd passord pass passw passcode passphrase passwordpassword motdepasse contrasena senha parola
haslo wachtwoord heslo salasana losenord
password1 password12 password123 password1234 password12345 passwort1 passwort123 p@ssw0rd p@ssword passw0rd pa55word
letmein letmein1 letmeinnow welcome welcome1 welcome123 welcomehome admin admin1 admin123 administrator root toor user guest
test test1 test123 testtest testing tester default changeme changeit change secret secret1 topsecret private security
secure master master1 login logmein access access14 system server network computer internet office windows linux ubuntu
apple google microsoft facebook twitter instagram linkedin youtube yahoo gmail hotmail samsung iphone android nokia
oracle cisco router backup temp temporary sample demo example company business manager director service support
iloveyou iloveyou1 iloveu iloveme ilovemyself loveme lovely love lover loverboy lovers mylove truelove loveyou teamo
tequiero jetaime ichliebedich princess princess1 princesa prince queen king angel angel1 angels babygirl babyboy baby
sweetheart sweetie sweet honey sugar darling beautiful gorgeous pretty sexy sexygirl hello hello1 hello123 helloworld
hellokitty hola bonjour hallo ciao sunshine sunshine1 rainbow flower flowers butterfly blossom summer summer1 winter
spring autumn monday friday sunday january february march april june july august september october november december
football football1 soccer baseball basketball hockey tennis golf rugby cricket liverpool arsenal chelsea manchester
united barcelona realmadrid juventus bayern yankees lakers cowboys steelers packers eagles dolphins broncos raiders
monkey monkey1 dragon dragon1 tiger tigers tigger lion panther bear wolf shadow shadow1 dog doggie puppy cat kitty
kitten hamster rabbit bunny horse horses pony chicken turtle snoopy scooby garfield mickey minnie mickeymouse donald
pikachu pokemon naruto sonic mario zelda batman superman spiderman ironman hulk starwars startrek matrix hobbit gandalf
harrypotter hogwarts merlin wizard magic phoenix eagle falcon hawk ninja samurai warrior killer hunter hunter1 hunter2
ranger soldier sniper trustno1 whatever nothing something anything everything forever friend friends bestfriend family
mother father mommy daddy mom dad brother sister son daughter michael michael1 jordan jordan23 jennifer jessica ashley
amanda andrew anthony daniel david robert thomas charlie charlie1 george william james john joshua matthew christopher
nicole michelle melissa samantha elizabeth sarah hannah maria anna laura alexander alexandra sandra patrick martin
peter stefan maggie ginger pepper cookie cookies chocolate cheese banana orange strawberry cherry peanut butter coffee
pizza hotdog bailey buster cooper harley corvette mustang ferrari porsche mercedes toyota honda yamaha suzuki camaro
money dollar cash rich bank credit lucky lucky1 lucky7 success winner champion freedom liberty peace jesus jesus1
jesuschrist christ god godisgood blessed heaven faith grace church bible amen buddha music guitar piano drummer
metallica nirvana slipknot eminem beatles rockyou rockstar rocknroll hiphop dance dancer singer movie player gamer game
games playboy poker casino minecraft fortnite roblox counterstrike warcraft starcraft blizzard playstation nintendo xbox
america american canada england london paris berlin germany deutschland france italia espana brasil brazil mexico india
pakistan china japan tokyo australia sydney newyork texas california florida boston chicago dallas austin phoenix1
blue red green black white yellow purple pink silver gold golden diamond crystal pearl ruby star stars moon sun sky
thunder lightning storm fire water ocean river mountain nature world earth planet galaxy universe space rocket
biteme fuckyou fuckyou1 fuckme fuckoff asshole bitch bullshit dick pussy shit porn sexsex sex xxxxxx
school student teacher college university bonnie clyde sesame opensesame abracadabra letmepass nopassword mypassword
yourpassword thepassword newpassword oldpassword mypass thisisapassword qwertypassword correcthorsebatterystaple
correct battery staple
`;

/** The listed passwords, in small letters. */
export const BREACHED: ReadonlySet<string> = new Set(WORDS.trim().split(/\s+/));
